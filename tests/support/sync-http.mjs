// Carries out requests for a thread that waits for their answers: see sync-http.ts.
import { workerData } from 'node:worker_threads';

const { port, state } = workerData;

port.on('message', async ({ method, url, body }) => {
  let answer;
  try {
    const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
    answer = { status: response.status, text: await response.text() };
  } catch (error) {
    answer = { error: String(error.cause ?? error) };
  }
  port.postMessage(answer);
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
});
