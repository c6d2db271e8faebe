export interface WaitOptions {
  /** Milliseconds until the wait fails. */
  timeout?: number;
  /** Milliseconds between two looks. */
  interval?: number;
  /** What is waited for, for the failure's text. */
  what?: string;
}

/**
 * Looks again and again until `look` gives something other than undefined, null or false, and returns it. A look that
 * throws counts as "not yet"; its error is the cause of the failure when time runs out.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { timeout = 10_000, interval = 20, what = look.toString() }: WaitOptions = {},
): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = Date.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<NonNullable<T>, false>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`after ${timeout} ms still not: ${what}${cause ? `\nlast error: ${String(cause)}` : ''}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

/** Fails when `promise` has not settled in time. */
export async function within<T>(promise: Promise<T>, timeout: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeout} ms: ${what}`)), timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
