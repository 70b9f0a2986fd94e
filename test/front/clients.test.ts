/** The clients that services of this process use: renewing credentials by the platform's clock, observing instead of enforcing. */
import { ListModelPackageGroupsCommand } from '@aws-sdk/client-sagemaker';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { expect, test } from '@jest/globals';
import { accounts, region, withPlatform } from '../support/platform.ts';
import { outcome, roleClients } from './support.ts';

test('credentials that run out by the platform clock are asked for again, not before', () =>
  withPlatform({ clock: { mode: 'by-hand' } }, async ({ platform, credentials, control }) => {
    let asked = 0;
    const clients = platform.context.clients(async () => {
      asked += 1;
      return credentials(accounts.development);
    }, region);
    const call = () => outcome(clients.sts.send(new GetCallerIdentityCommand({})));
    expect([await call(), await call(), asked]).toEqual(['allow', 'allow', 1]);
    await control('POST', 'clock/advance', { milliseconds: 30 * 60_000 });
    expect([await call(), asked]).toEqual(['allow', 1]);
    for (let hour = 0; hour < 5; hour++) {
      await control('POST', 'clock/advance', { milliseconds: 3_600_000 });
      expect(await call()).toBe('allow');
    }
    expect(asked).toBe(6);
  }));

test('advancing by hand waits for the calls that a timer set off', () =>
  withPlatform({ clock: { mode: 'by-hand' } }, async ({ platform, administrator }) => {
    const { clock } = platform.context;
    const { sagemaker } = administrator(accounts.development);
    let pages = 0;
    void (async () => {
      for (;;) {
        await clock.sleep(1000);
        await sagemaker.send(new ListModelPackageGroupsCommand({}));
        pages += 1;
      }
    })();
    await clock.advance(10_000);
    expect(pages).toBe(10);
  }));

test.each(['enforce', 'observe'] as const)('%s: the decision is in the log either way', (enforcement) =>
  withPlatform({ enforcement }, async (started) => {
    const nobody = await roleClients(started, accounts.development, 'nobody');
    const expected = enforcement === 'enforce' ? 'AccessDeniedException' : 'allow';
    expect(await outcome(nobody.sagemaker.send(new ListModelPackageGroupsCommand({})))).toBe(expected);
    expect(started.calls().at(-1)).toMatchObject({
      decision: 'implicit-deny',
      permissions: [{ action: 'sagemaker:ListModelPackageGroups', decision: 'implicit-deny' }],
    });
  }),
);

test('a closed platform answers nobody, without retries and without a word', async () => {
  let clients: ReturnType<Parameters<Parameters<typeof withPlatform>[1]>[0]['administrator']> | undefined;
  let lines: string[] = [];
  await withPlatform({}, async (started) => {
    clients = started.administrator(accounts.development);
    lines = started.lines;
    await clients.sts.send(new GetCallerIdentityCommand({}));
  });
  const before = Date.now();
  await expect(clients!.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'AbortError' });
  expect(Date.now() - before).toBeLessThan(200);
  expect(lines).toEqual([]);
});
