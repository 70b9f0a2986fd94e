/** The reviewer at the terminal: one question at a time, each answered for itself. */
import { expect, test } from '@jest/globals';
import { type Ask, createReviewer } from '../../cli/review.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { JobRecord, ReviewRequest, RunRecord } from '../../local/github/types.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

function atTerminal(interactive = true) {
  const lines: string[] = [];
  const questions: { message: string; answer: (answer: boolean | undefined) => void }[] = [];
  const ask: Ask = (message) => new Promise((answer) => questions.push({ message, answer }));
  const terminal = { interactive, line: (text = '') => lines.push(text) } as unknown as Terminal;
  return { lines, questions, ask, terminal };
}

const request = (
  title: string,
  environment = 'production',
  status: JobRecord['status'] = 'waiting',
): ReviewRequest => ({
  run: { name: 'Model', title } as RunRecord,
  job: { name: `Deploy ${title}`, status } as JobRecord,
  environment,
  reviewers: ['ada'],
});

test('the second request is described and asked only after the first is answered, and gets its own answer', async () => {
  const { lines, questions, ask, terminal } = atTerminal();
  let live = 1;
  const review = createReviewer(terminal, false, async () => [`in production: version ${live}`], undefined, ask);
  const answers = [request('one'), request('two'), request('three')].map(review);
  await settle();
  expect(questions.map(({ message }) => message)).toEqual([
    'Approve Deploy one for the environment production, as ada? (y or n)',
  ]);
  expect(lines).toEqual([expect.stringContaining('"one" asks: (2 more wait)'), 'in production: version 1']);
  live = 2;
  questions[0]!.answer(true);
  expect(await answers[0]).toMatchObject({ state: 'approved', user: 'ada' });
  await settle();
  expect(questions).toHaveLength(2);
  expect(lines.slice(2)).toEqual([expect.stringContaining('"two" asks: (1 more waits)'), 'in production: version 2']);
  questions[1]!.answer(false);
  expect(await answers[1]).toMatchObject({ state: 'rejected' });
  await settle();
  expect(lines.at(-2)).toMatch(/"three" asks:$/);
  questions[2]!.answer(true);
  expect(await answers[2]).toMatchObject({ state: 'approved' });
});

test('a request that no longer waits when its turn comes is not asked, and does not hold up the next', async () => {
  const { questions, ask, terminal } = atTerminal();
  const review = createReviewer(terminal, false, async () => [], undefined, ask);
  const cancelled = request('cancelled');
  const first = review(request('first'));
  void review(cancelled);
  const last = review(request('last'));
  await settle();
  (cancelled.job as { status: string }).status = 'completed';
  questions[0]!.answer(true);
  await first;
  await settle();
  expect(questions.map(({ message }) => message)).toEqual([
    expect.stringContaining('Deploy first'),
    expect.stringContaining('Deploy last'),
  ]);
  questions[1]!.answer(false);
  expect(await last).toMatchObject({ state: 'rejected' });
});

test('a question that somebody else has answered, or whose run was cancelled, is taken back; the next is asked', async () => {
  const { lines, questions, terminal } = atTerminal();
  const ask: Ask = (message, signal) =>
    new Promise((answer) => {
      questions.push({ message, answer });
      signal.addEventListener('abort', () => answer(undefined));
    });
  const review = createReviewer(terminal, false, async () => [], undefined, ask);
  const open = request('open');
  void review(open);
  const next = review(request('next'));
  await settle();
  (open.job as { status: string }).status = 'in_progress';
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(lines).toContainEqual(expect.stringContaining('"open" needs no answer any more'));
  expect(questions.map(({ message }) => message)).toEqual([
    expect.stringContaining('Deploy open'),
    expect.stringContaining('Deploy next'),
  ]);
  questions[1]!.answer(true);
  expect(await next).toMatchObject({ state: 'approved' });
});

test("a description that fails is that request's failure alone", async () => {
  const { questions, ask, terminal } = atTerminal();
  const review = createReviewer(
    terminal,
    false,
    async ({ run }) => {
      if (run.title === 'broken') throw new Error('no registry');
      return [];
    },
    undefined,
    ask,
  );
  const broken = review(request('broken'));
  const whole = review(request('whole'));
  await expect(broken).rejects.toThrow('no registry');
  await settle();
  questions[0]!.answer(true);
  expect(await whole).toMatchObject({ state: 'approved' });
});

test.each([
  [true, true, '--yes'],
  [false, false, 'no terminal to ask at'],
])('--yes %s, terminal %s: approves and says why', async (yes, interactive, why) => {
  const { questions, ask, terminal } = atTerminal(interactive);
  const review = createReviewer(terminal, yes, async () => [], undefined, ask);
  expect(await review(request('one'))).toEqual({
    state: 'approved',
    user: 'ada',
    comment: `approved by the local reviewer (${why})`,
  });
  expect(questions).toEqual([]);
});
