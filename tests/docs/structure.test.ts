import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { listPages, parsePage, readPage, type Page } from '../support/markdown.ts';
import { check } from '../support/process.ts';
import { binary } from '../support/service.ts';
import { settings } from './settings.ts';
import { commandLanguages, shownLanguages } from './structure.ts';
import { repository } from './world.ts';

const pages = await Promise.all((await listPages(repository)).map((path) => readPage(repository, path)));
const byPath = new Map(pages.map((page) => [page.path, page]));

/** What is wrong with a link, if anything is. */
function fault(page: Page, target: string, known: Map<string, Page>): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page.path : normalize(join(dirname(page.path), path));
  if (file.startsWith('..') || !existsSync(join(repository, file))) return `${target}: there is no ${file}`;
  if (anchor !== undefined && !known.get(file)?.anchors.has(anchor)) return `${target}: ${file} has no such heading`;
  return undefined;
}

const faultsOf = (page: Page): string[] =>
  page.links.flatMap(({ target, line }) => {
    const found = fault(page, target, byPath);
    return found ? [`${page.path}:${line}: ${found}`] : [];
  });

it('every link leads somewhere', () => {
  expect(pages.length).toBeGreaterThan(5);
  expect(pages.flatMap(faultsOf)).toEqual([]);
});

it('a link that leads nowhere would be found', () => {
  const page = parsePage('docs/x.md', '# A title: `x`, *y*\n[a](#a-title-x-y) [b](#b) [c](nowhere.md) [d](../README.md) `[e](e.md)` [f](architecture.md#f)\n');
  expect(faultsOf({ ...page, links: page.links.filter(({ target }) => target !== '#a-title-x-y') })).toHaveLength(3);
  expect([...page.anchors]).toEqual(['a-title-x-y']);
});

it('every block says what it is; commands are run or say why not', () => {
  const faults = pages.flatMap(({ path, blocks }) =>
    blocks.flatMap(({ language, marks, line }) => {
      const where = `${path}:${line}`;
      if (!commandLanguages.includes(language)) {
        if (marks.some(({ kind }) => kind !== 'file')) return [`${where}: a mark on what is never run`];
        return shownLanguages.includes(language) ? [] : [`${where}: "${language}" is no language of these pages`];
      }
      return marks.some(({ text }) => text.length < 3) ? [`${where}: a mark without a text`] : [];
    }),
  );
  expect(faults).toEqual([]);
});

it('every page is reached from docs/README.md', () => {
  const index = byPath.get('docs/README.md')!.links.map(({ target }) => normalize(join('docs', target.split('#')[0]!)));
  const isReached = ({ path }: Page) => path === 'README.md' || path === 'docs/README.md' || index.some((target) => path === target || path.startsWith(`${target}/`));
  expect(pages.filter((page) => !isReached(page)).map(({ path }) => path)).toEqual([]);
});

it('every setting that is shown exists', async () => {
  const known = await check(binary, ['config', '--format', 'env']);
  const faults = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language }) => language === 'dotenv')
      .flatMap(({ text, line }) => text.split('\n').map((setting) => ({ name: /^([A-Z_]+)=/.exec(setting)?.[1], setting, line })))
      .filter(({ setting, name }) => setting !== '' && !setting.startsWith('#') && !new RegExp(`^#?${name}=`, 'm').test(known))
      .map(({ setting, line }) => `${path}:${line}: ${setting}`),
  );
  expect(faults).toEqual([]);
});

it('every request of the API, and no other, is in docs/reference/api.md', async () => {
  const { paths } = JSON.parse(await check(binary, ['openapi'])) as { paths: Record<string, Record<string, { summary: string }>> };
  const requests = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => `| \`${method.toUpperCase()} ${path}\` | ${summary} |`),
  );
  expect(byPath.get('docs/reference/api.md')!.text.split('\n').filter((line) => line.startsWith('| `'))).toEqual(requests);
});

it('every code of a 503 is in the guide for when something does not work', async () => {
  const { info } = JSON.parse(await check(binary, ['openapi'])) as { info: { description: string } };
  const codes = [...info.description.matchAll(/^\| 503 \| `([a-z_]+)`/gm)].map(([, code]) => code!);
  expect(codes.length).toBeGreaterThan(1);
  const guide = byPath.get('docs/how-to/troubleshooting.md')!.text;
  expect(codes.filter((code) => !guide.includes(`\n| \`${code}\` |`))).toEqual([]);
});

it('every event of the log that a page speaks of is written by the service', async () => {
  const named = pages.flatMap(({ path, text }) => [...text.matchAll(/\blog `([a-z_]+)`/gi)].map(([, event]) => ({ path, event })));
  expect(named.length).toBeGreaterThan(5);
  const source = await check('grep', ['-rhoE', '"[a-z_]+"', join(repository, 'src'), '--include=*.cpp']);
  expect(named.filter(({ event }) => !source.includes(`"${event}"`))).toEqual([]);
});

it('the container\'s build sees every file that it copies', async () => {
  const read = async (name: string) => (await readFile(join(repository, name), 'utf8')).split('\n');
  const copied = (await read('packaging/container/Containerfile')).flatMap((line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.[1]?.split(' ') ?? []);
  expect(copied).toContain('src');
  const seen = (await read('.containerignore')).filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  expect(copied.filter((path) => !seen.includes(path))).toEqual([]);
});

it('what is prepared for a page is for a page that exists', () => {
  const sections = (path: string) => byPath.get(path)?.blocks.map(({ section }) => section);
  for (const [path, { after = {} }] of Object.entries(settings)) expect(sections(path), path).toEqual(expect.arrayContaining(Object.keys(after)));
});
