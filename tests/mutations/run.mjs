/**
 * ./dev mutants [WORD…]: tries each mutation, or those whose names contain a WORD, on a copy of the sources in
 * build/mutants/: builds the unit tests and runs the order property, which must fail. Without a mutation it must pass.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mutations } from './mutations.mjs';

const root = join(import.meta.dirname, '../..');
const copy = join(root, 'build/mutants');
const copied = ['CMakeLists.txt', 'CMakePresets.json', 'src', 'tests/unit', 'tests/data', 'web'];
const property = '--gtest_filter=CallRulesOrder.*:WebhookOrder.*';
// A copy elsewhere shares objects with this one (tools/dev/build.sh).
const environment = { ...process.env, CCACHE_BASEDIR: copy };

/** Writes only what differs, so that the build sees what has changed, also after a run that was cut off. */
function write(path, content) {
  if (existsSync(path) && readFileSync(path).equals(content)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function copyTree(path) {
  const from = join(root, path);
  if (path.endsWith('node_modules')) return;
  if (!statSync(from).isDirectory()) return write(join(copy, path), readFileSync(from));
  for (const name of readdirSync(from)) copyTree(join(path, name));
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: copy, env: environment, encoding: 'utf8', maxBuffer: 1e9 });
  return { status: error ? String(error) : status, output: `${stdout}${stderr}` };
}

function demand({ status, output }, what) {
  if (status === 0) return;
  console.error(`${output.split('\n').slice(-40).join('\n')}\n${what} failed (${status}).`);
  process.exit(1);
}

function build(what) {
  demand(run('cmake', ['--build', '--preset', 'release', '-j', '2', '--target', 'unit-tests']), `The build of ${what}`);
}

const test = () => run(join(copy, 'build/release/unit-tests'), [property]);

/** Whether a test fails, which is no crash. */
function isKilled({ name, file, old, changed }) {
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  if (original.split(old).length !== 2) {
    console.error(`"${name}": its place in ${file} is not there exactly once any more; renew tests/mutations/mutations.mjs.`);
    process.exit(1);
  }
  writeFileSync(path, original.replace(old, () => changed));
  build(`"${name}"`);
  const { status, output } = test();
  writeFileSync(path, original);
  return status === 1 && output.includes('[  FAILED  ]');
}

const words = process.argv.slice(2);
const chosen = mutations.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
for (const path of copied) copyTree(path);
demand(run('cmake', ['--preset', 'release', `-DSWAGGER_UI=${join(root, 'web/node_modules/swagger-ui-dist')}`]), 'The configuration');
build('the sources as they are');
demand(test(), 'The order property, without a mutation,');

let alive = chosen.length === 0 ? 1 : 0;
for (const mutation of chosen) {
  const killed = isKilled(mutation);
  console.log(`${killed ? 'fails as it must' : 'NOT NOTICED     '}  ${mutation.name}`);
  if (!killed) alive += 1;
}
console.log(`\n${chosen.length} mutations, ${alive} not noticed`);
process.exit(alive === 0 ? 0 : 1);
