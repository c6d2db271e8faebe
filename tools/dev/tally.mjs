// Prints "PASSED FAILED SKIPPED" of a result file of GoogleTest or vitest; skipped tests are among the failed ones, too.
// A file that is missing or cut off counts as nothing run.
import { readFileSync } from 'node:fs'

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

function statuses(report) {
  if (report.testsuites) {
    const tests = report.testsuites.flatMap((suite) => suite.testsuite)
    return tests.map((test) => (test.failures ? 'failed' : test.result === 'COMPLETED' ? 'passed' : 'skipped'))
  }
  const tests = (report.testResults ?? []).flatMap((file) => file.assertionResults)
  return tests.map((test) => (['passed', 'failed'].includes(test.status) ? test.status : 'skipped'))
}

const all = statuses(read(process.argv[2]))
const count = (status) => all.filter((each) => each === status).length
const skipped = count('skipped')
console.log(count('passed'), count('failed') + skipped, skipped)
