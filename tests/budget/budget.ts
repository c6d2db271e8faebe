import { readFile, writeFile } from 'node:fs/promises';
import { arch } from 'node:process';
import type { Profile } from './profile.ts';
import { spenderNames, spentBy } from './spenders.ts';

const page = new URL('../../docs/performance.md', import.meta.url);
const table = /(<!-- written by \.\/dev budget -->\n)[^]*?(<!-- end -->)/;
export const instructions = '**all instructions**';
export const allocations = '**number of allocations**';

/** What one request of each kind spends: the columns of the table, each with a number for every row. */
export type Budget = Map<string, Map<string, number>>;

export function spending(profile: Profile, requests: number): Map<string, number> {
  const parts = [...spentBy(profile)].map(([spender, spent]) => [spender, Math.round(spent / requests)] as const);
  const allocated = Math.round((profile.callsOf(/^operator new/) / requests) * 10) / 10;
  return new Map([...parts, [instructions, Math.round(profile.total / requests)], [allocations, allocated]]);
}

/** Libraries of other releases spend other numbers. */
async function release(): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8');
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(system)?.[1] ?? '';
  return `${value('NAME').split(' ')[0]} ${value('VERSION_ID')}, ${arch}`;
}

export async function asText(budget: Budget): Promise<string> {
  const columns = [...budget.values()];
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  const rows = [...spenderNames, instructions, allocations].map((name) => row([name, ...columns.map((column) => (column.get(name) ?? 0).toLocaleString('en'))]));
  return [row([await release(), ...budget.keys()]), row(['---', ...columns.map(() => '---:')]), ...rows].join('\n');
}

export interface WrittenBudget {
  budget: Budget;
  /** Whether it was written on a system like this one. */
  isOfThisRelease: boolean;
}

export async function readBudget(): Promise<WrittenBudget> {
  const text = table.exec(await readFile(page, 'utf8'))?.[0] ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
  const [[system = '', ...kinds] = [], , ...lines] = rows;
  const column = (index: number) => new Map(lines.map((line) => [line[0]!, Number(line[index]!.replaceAll(',', ''))] as const));
  return { budget: new Map(kinds.map((kind, index) => [kind, column(index + 1)])), isOfThisRelease: system === (await release()) };
}

export async function writeBudget(budget: Budget): Promise<void> {
  const text = await asText(budget);
  await writeFile(page, (await readFile(page, 'utf8')).replace(table, (_, begin, end) => `${begin}${text}\n${end}`));
}
