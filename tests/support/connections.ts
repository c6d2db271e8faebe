import { readdir, readFile, readlink } from 'node:fs/promises';

/** How many TCP connections a process has `to` a port of this machine, or `at` a port of its own. */
export async function connections(pid: number, end: 'to' | 'at', port: number): Promise<number> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const established = '01';
  const inodes = new Set<string>();
  for (const line of (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).split('\n').slice(1)) {
    const [, at, to, state, , , , , , inode] = line.trim().split(/\s+/);
    if ((end === 'to' ? to : at)?.endsWith(wanted) && state === established) inodes.add(`socket:[${inode}]`);
  }
  const held = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return held.filter((link) => inodes.has(link)).length;
}
