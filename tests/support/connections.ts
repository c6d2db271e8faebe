import { readdir, readFile, readlink } from 'node:fs/promises';

const states: Record<string, string> = {
  '01': 'established',
  '02': 'opening',
  '04': 'closing',
  '05': 'closing',
  '06': 'closing',
  '07': 'closed',
  '08': 'left by the other end',
  '09': 'closing',
  '0A': 'listening',
  '0B': 'closing',
};

/** Of each TCP socket of a process, by the name that a descriptor has for it: the ports at both ends, and its state. */
async function tcpSockets(pid: number): Promise<Map<string, { at: number; to: number; state: string }>> {
  const found = new Map<string, { at: number; to: number; state: string }>();
  const port = (address: string): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).split('\n').slice(1)) {
      const [, at = '', to = '', state = '', , , , , , inode] = line.trim().split(/\s+/);
      found.set(`socket:[${inode}]`, { at: port(at), to: port(to), state: states[state] ?? state });
    }
  }
  return found;
}

/** What a process's descriptors are, and how many of each. */
export interface Descriptors {
  all: number;
  /** Connections of clients, established ones and others. */
  clients: number;
  livekit: number;
  database: number;
  /** Sockets whose connection was reset: a pool notices when it wants to use one. */
  reset: number;
  /** For who has to find out why. */
  kinds: string;
}

/** `ports`: at which the process listens, and where LiveKit and the database do. */
export async function descriptors(pid: number, ports: { clients: number; livekit: number; database: number | undefined }): Promise<Descriptors> {
  const held = (await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))).filter((name) => name !== '');
  const sockets = await tcpSockets(pid);
  const kinds = new Map<string, number>();
  const found = { all: held.length, clients: 0, livekit: 0, database: 0, reset: 0 };
  for (const name of held) {
    const socket = sockets.get(name);
    let kind = name.startsWith('/') ? 'file' : name.replace(/:?\[\d+\]/, '');
    if (socket !== undefined) {
      const whose = socket.to === ports.livekit ? 'livekit' : socket.to === ports.database ? 'database' : socket.at === ports.clients ? 'clients' : undefined;
      if (whose !== undefined && socket.state !== 'listening') found[whose] += 1;
      kind = `${whose ?? 'other'} ${socket.state}`;
    } else if (name.startsWith('socket:')) {
      found.reset += 1;
      kind = 'reset';
    }
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return { ...found, kinds: [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ') };
}
