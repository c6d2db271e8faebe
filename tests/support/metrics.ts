import { expect } from 'vitest';
import type { Api } from './api.ts';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface MetricsPage {
  /** Of each name: its type and its help. */
  families: Map<string, { type: string; help: string }>;
  samples: Sample[];
}

/** Reads the text format; throws at what is none of it. */
export function parseMetrics(text: string): MetricsPage {
  const page: MetricsPage = { families: new Map(), samples: [] };
  for (const line of text.split('\n').filter(Boolean)) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    const sample = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (help) page.families.set(help[1]!, { type: '', help: help[2]! });
    else if (type) page.families.get(type[1]!)!.type = type[2]!;
    else if (sample) page.samples.push({ name: sample[1]!, labels: labelsOf(sample[2] ?? ''), value: Number(sample[3]) });
    else throw new Error(`not a line of the text format: ${line}`);
  }
  return page;
}

const labelsOf = (text: string): Record<string, string> => Object.fromEntries([...text.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

export async function readMetrics(api: Api): Promise<MetricsPage> {
  const answer = await api.get('/metrics');
  expect(answer.status, answer.text).toBe(200);
  return parseMetrics(answer.text);
}

/** The sum of the samples of this name whose labels include the given ones; undefined if there are none. */
export function valueOf(page: MetricsPage, name: string, labels: Record<string, string> = {}): number | undefined {
  const found = page.samples.filter((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  return found.length === 0 ? undefined : found.reduce((sum, sample) => sum + sample.value, 0);
}
