import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { browserArguments, browserProgram } from '../support/clients.ts';
import { run } from '../support/process.ts';
import { binary } from '../support/service.ts';
import { until } from '../support/wait.ts';
import { repository, type World } from './world.ts';

/** Stands for `npm ci` in the page's folder. */
export async function linkPackages({ folder }: World): Promise<void> {
  await symlink(join(repository, 'tests/node_modules'), join(folder, 'examples/first-call/node_modules'));
}

async function tokenFor(world: World, user: string): Promise<string> {
  const made = await run(binary, ['--env-file', join(world.folder, '.dev/secrets.env'), 'token', '--user', user]);
  return made.stdout.trim();
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function enter(page: Page, token: string): Promise<void> {
  await page.getByLabel('User token').fill(token);
  await button(page, 'Enter').click();
}

/** Whose moving picture the page shows. */
async function sees(page: Page, people: string[]): Promise<void> {
  const playing = page.locator('figure', { has: page.locator('video') });
  const names = async () => (await playing.locator('figcaption').allTextContents()).sort().join();
  await until(async () => (await names()) === people.join(), { timeout: 20_000, what: `the page shows ${people}` });
  const isMoving = () => page.locator('video').evaluateAll((all) => all.every((video) => 'currentTime' in video && Number(video.currentTime) > 0));
  await until(isMoving, { timeout: 20_000, what: 'the pictures move' });
}

const says = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();

/** Section 4 of the tutorial, in a real browser. */
export async function callEachOther(world: World): Promise<void> {
  const browser = await chromium.launch({ executablePath: browserProgram, args: browserArguments });
  try {
    const context = await browser.newContext();
    const [alice, bob] = [await context.newPage(), await context.newPage()];
    await alice.goto(`http://127.0.0.1:${world.ports.page}/`);
    await alice.getByLabel('Service').fill(`http://127.0.0.1:${world.ports.service}`);
    await enter(alice, await tokenFor(world, 'alice'));
    await says(alice, 'In call');

    await bob.goto(alice.url());
    await bob.getByLabel('Service').fill(`http://127.0.0.1:${world.ports.service}`);
    await enter(bob, await tokenFor(world, 'bob'));
    await Promise.all([sees(alice, ['alice', 'bob']), sees(bob, ['alice', 'bob'])]);
    const picture = process.env.DOCS_SCREENSHOT;
    if (picture) await bob.screenshot({ path: picture });

    await button(bob, 'Leave').click();
    await says(bob, 'Not in a call any more');
    await sees(alice, ['alice']);
    await button(bob, 'Enter').click();
    await sees(alice, ['alice', 'bob']);

    await button(bob, 'End for all').click();
    await says(bob, '403 forbidden');
    await button(alice, 'End for all').click();
    await Promise.all([says(alice, 'Not in a call any more'), says(bob, 'Not in a call any more')]);
  } finally {
    await browser.close();
  }
}
