import { readdir, readFile, readlink } from 'node:fs/promises';

interface Socket {
  at: string;
  to: string;
  state: string;
}

const established = '01';

const heldBy = async (pid: number): Promise<string[]> =>
  Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));

/** By the name that a descriptor has for it. */
async function tcpSockets(pid: number): Promise<Map<string, Socket>> {
  const found = new Map<string, Socket>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).split('\n').slice(1)) {
      const [, at = '', to = '', state = '', , , , , , inode] = line.trim().split(/\s+/);
      found.set(`socket:[${inode}]`, { at, to, state });
    }
  }
  return found;
}

/** How many TCP connections a process has `to` a port of this machine, or `at` a port of its own. */
export async function connections(pid: number, end: 'to' | 'at', port: number): Promise<number> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = await tcpSockets(pid);
  const isWanted = (socket?: Socket): boolean => socket?.state === established && socket[end].endsWith(wanted);
  return (await heldBy(pid)).filter((name) => isWanted(sockets.get(name))).length;
}

/** How many sockets a process holds whose other end has closed or reset them: a pool notices when it wants to use one. */
export async function abandonedConnections(pid: number): Promise<number> {
  const closeWait = '08';
  const sockets = await tcpSockets(pid);
  const isAbandoned = (name: string): boolean => name.startsWith('socket:') && (sockets.get(name)?.state ?? closeWait) === closeWait;
  return (await heldBy(pid)).filter(isAbandoned).length;
}
