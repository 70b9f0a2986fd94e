/**
 * Works through nodes in parallel, each after those it depends on.
 *
 * After the first failure no further node starts; with `keepGoing`, everything that does not depend on a failed node
 * still runs (deletions). Nodes already running are awaited. Returns the failures by node.
 */
export async function runGraph(
  nodes: Iterable<string>,
  dependenciesOf: (node: string) => Iterable<string>,
  work: (node: string) => Promise<void>,
  options: { keepGoing?: boolean; onFirstFailure?: () => void } = {},
): Promise<Map<string, unknown>> {
  const waiting = new Map<string, Set<string>>();
  const all = new Set(nodes);
  for (const node of all) {
    waiting.set(
      node,
      new Set([...dependenciesOf(node)].filter((dependency) => all.has(dependency) && dependency !== node)),
    );
  }
  const failures = new Map<string, unknown>();
  const running = new Set<Promise<void>>();

  const start = (): void => {
    if (failures.size > 0 && options.keepGoing !== true) return;
    for (const [node, dependencies] of waiting) {
      if (dependencies.size > 0) continue;
      waiting.delete(node);
      const task: Promise<void> = work(node).then(
        () => {
          for (const dependencies of waiting.values()) dependencies.delete(node);
        },
        (error: unknown) => {
          if (failures.size === 0) options.onFirstFailure?.();
          failures.set(node, error);
        },
      );
      const settled = task.finally(() => {
        running.delete(settled);
      });
      running.add(settled);
    }
  };

  start();
  while (running.size > 0) {
    await Promise.race(running);
    start();
  }
  return failures;
}
