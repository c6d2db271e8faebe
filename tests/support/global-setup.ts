import type { TestProject } from 'vitest/node';
import { Cluster } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the cluster's own database, from which tests make theirs. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await Cluster.create();
  project.provide('postgresUrl', cluster.url('postgres'));
  return () => cluster.remove();
}
