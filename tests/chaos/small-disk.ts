import { chmod, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEndOfFile } from '../support/cleanup.ts';
import { run } from '../support/process.ts';

/** A directory on a file system of its own that can be full. Without the right to mount it is a common directory, and never full. */
export class SmallDisk {
  private constructor(
    readonly path: string,
    readonly canBeFull: boolean,
  ) {}

  static async make(megabytes: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'call-service-disk-'));
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path]).catch(() => undefined);
    await chmod(path, 0o755);
    const disk = new SmallDisk(path, mounted?.code === 0);
    atEndOfFile(() => disk.remove());
    return disk;
  }

  private get ballast(): string {
    return join(this.path, 'ballast');
  }

  /** Nothing is left. In large pieces first: a busy machine takes its time for each. */
  async fill(): Promise<void> {
    const file = await open(this.ballast, 'w');
    try {
      for (let size = 32 * 1024 * 1024; size >= 4096; ) {
        const { bytesWritten } = await file.write(Buffer.alloc(size)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          return { bytesWritten: 0 };
        });
        if (bytesWritten < size) size /= 2;
      }
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.ballast, { force: true });
  }

  async remove(): Promise<void> {
    if (this.canBeFull) await run('umount', ['--lazy', this.path]).catch(() => undefined);
    await rm(this.path, { recursive: true, force: true });
  }
}
