import { afterAll } from 'vitest';
import { clearAway } from './cleanup.ts';

afterAll(clearAway);
