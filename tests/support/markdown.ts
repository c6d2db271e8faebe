import { readFile } from 'node:fs/promises';
import { check } from './process.ts';

/** What an HTML comment above a fenced block says of it. */
export type Mark =
  /** The reason why no test runs it. */
  | { kind: 'not run'; text: string }
  /** A program that goes on: it counts as started when it has printed the text. */
  | { kind: 'runs until'; text: string }
  /** What its output has to contain. */
  | { kind: 'prints'; text: string }
  /** It has to fail, and to say this. */
  | { kind: 'fails'; text: string }
  /** It is the content of a file of this name. */
  | { kind: 'file'; text: string };

export interface Block {
  language: string;
  text: string;
  line: number;
  marks: Mark[];
  /** The anchor of the heading that it stands below. */
  section: string;
}

export interface Link {
  target: string;
  line: number;
}

export interface Page {
  path: string;
  text: string;
  blocks: Block[];
  links: Link[];
  anchors: Set<string>;
}

const fence = /^( *)(`{3,})(\S*)\s*$/;
const comment = /^\s*<!--\s*(not run|runs until|prints|fails|file): (.*?)\s*-->\s*$/;
const heading = /^#{1,6} +(.*?)\s*$/;
const inlineLink = /\[(?:[^\][]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)/g;

/** The Markdown files of the repository, as git knows them: those to be committed, too. */
export async function listPages(root: string): Promise<string[]> {
  const files = await check('git', ['-C', root, 'ls-files', '--cached', '--others', '--exclude-standard', '*.md']);
  return files.split('\n').filter((path) => path === 'README.md' || path.startsWith('docs/'));
}

export async function readPage(root: string, path: string): Promise<Page> {
  return parsePage(path, await readFile(`${root}/${path}`, 'utf8'));
}

export function parsePage(path: string, content: string): Page {
  const page: Page = { path, text: content, blocks: [], links: [], anchors: new Set() };
  let marks: Mark[] = [];
  let section = '';
  const lines = content.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    const opening = fence.exec(line);
    const mark = comment.exec(line);
    if (opening) {
      const end = closing(lines, index, opening);
      page.blocks.push({ language: opening[3]!, text: blockText(lines, index, end, opening[1]!.length), line: index + 1, marks, section });
      index = end;
    } else if (mark) {
      marks.push({ kind: mark[1] as Mark['kind'], text: mark[2]! });
      continue;
    } else {
      const title = heading.exec(line)?.[1];
      if (title !== undefined) section = addAnchor(page.anchors, title);
      // What stands in code is no link.
      for (const [, target] of line.replace(/`[^`]*`/g, '`').matchAll(inlineLink)) page.links.push({ target: target!, line: index + 1 });
    }
    if (line.trim() !== '') marks = [];
  }
  return page;
}

function closing(lines: string[], index: number, [, indent, ticks]: RegExpExecArray): number {
  for (let end = index + 1; end < lines.length; end++) {
    if (lines[end]!.trim() === ticks && lines[end]!.startsWith(indent!)) return end;
  }
  throw new Error(`the block that begins in line ${index + 1} has no end`);
}

function blockText(lines: string[], index: number, end: number, indent: number): string {
  return lines
    .slice(index + 1, end)
    .map((line) => `${line.slice(Math.min(indent, line.search(/\S|$/)))}\n`)
    .join('');
}

/** As GitHub makes them of headings. */
function addAnchor(anchors: Set<string>, title: string): string {
  const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  const slug = text.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
  let anchor = slug;
  for (let number = 1; anchors.has(anchor); number++) anchor = `${slug}-${number}`;
  anchors.add(anchor);
  return anchor;
}
