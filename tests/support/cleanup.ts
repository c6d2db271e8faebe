type Step = () => void | Promise<void>;

const steps: Step[] = [];

/** What a failed test may leave behind is cleared away at the end of its file: the last made goes first. */
export function atEndOfFile(step: Step): void {
  steps.push(step);
}

export async function clearAway(): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}
