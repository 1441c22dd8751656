import pTimeout from 'p-timeout';

/** How long one request may take; BullMQ would wait for a server that stalls without end. */
const REQUEST_PATIENCE_MS = 10_000;

/**
 * The same object, whose requests reject with `late()` when they take too long, and otherwise with
 * what `name` makes of their fault.
 */
export function inPatience<Asked extends object>(
  asked: Asked,
  { late, name }: { readonly late: () => Error; readonly name: (fault: unknown) => unknown },
): Asked {
  return new Proxy(asked, {
    get(target, verb) {
      const act = Reflect.get(target, verb, target);
      if (typeof act !== 'function') return act;
      return (...args: readonly unknown[]) => {
        const answer = act.apply(target, args);
        return answer instanceof Promise ? answerOf(answer) : answer;
      };
    },
  });

  async function answerOf(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await pTimeout(answer, {
        milliseconds: REQUEST_PATIENCE_MS,
        fallback: () => {
          throw late();
        },
      });
    } catch (thrown) {
      throw name(thrown);
    }
  }
}
