import { describe, it } from 'vitest';
import { listPages, readPage, type Block, type Page } from '../support/markdown.ts';
import { settings } from './settings.ts';
import { commandLanguages } from './structure.ts';
import { repository, World } from './world.ts';

const pages = await Promise.all((await listPages(repository)).map((path) => readPage(repository, path)));

/** All commands of a page in their order, each as its marks say. */
async function follow(page: Page): Promise<void> {
  const setting = settings[page.path] ?? {};
  const world = await World.make(setting);
  try {
    Object.assign(world.replacements, setting.replace?.(world));
    await setting.before?.(world);
    const blocks = page.blocks.filter(isUsed);
    for (const [index, block] of blocks.entries()) {
      await world.run(block, setting.sqlRunsAt?.(world)).catch((error) => {
        throw new Error(`${page.path}:${block.line}: ${error.message}\n${world.scene?.service.output.slice(-2000) ?? ''}`);
      });
      if (blocks[index + 1]?.section !== block.section) await setting.after?.[block.section]?.(world);
    }
  } finally {
    await world.close();
  }
}

function isUsed({ language, marks }: Block): boolean {
  return commandLanguages.includes(language) || marks.some(({ kind }) => kind === 'file');
}

function isRun({ language, marks }: Block): boolean {
  return commandLanguages.includes(language) && !marks.some(({ kind }) => kind === 'not run');
}

describe.concurrent('the commands of', () => {
  it.each(pages.filter(({ blocks }) => blocks.some(isRun)).map((page) => [page.path, page] as const))('%s', async (_path, page) => {
    await follow(page);
  });
});
