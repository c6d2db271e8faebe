import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const state = new Int32Array(new SharedArrayBuffer(4));
let worker: Worker | undefined;

function start(): void {
  worker = new Worker(new URL('./sync-http.mjs', import.meta.url), { workerData: { port: port2, state }, transferList: [port2] });
  worker.unref();
  port1.unref();
}

export interface SyncAnswer {
  status: number;
  text: string;
}

/** Sends a request and waits for its answer without giving up the thread, so that what tests read can be a property. */
export function requestNow(method: string, url: string, body?: unknown): SyncAnswer {
  if (!worker) start();
  Atomics.store(state, 0, 0);
  port1.postMessage({ method, url, body: body === undefined ? undefined : JSON.stringify(body) });
  if (Atomics.wait(state, 0, 0, 20_000) === 'timed-out') throw new Error(`${method} ${url}: no answer`);
  const { message } = receiveMessageOnPort(port1) as { message: SyncAnswer & { error?: string } };
  if (message.error) throw new Error(`${method} ${url}: ${message.error}`);
  return message;
}
