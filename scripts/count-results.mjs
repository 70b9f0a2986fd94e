// Adds up what the test runs left in a folder and prints it as "N passed, N failed"; exits non-zero when nothing passed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const total = { passed: 0, failed: 0 };
for (const name of ['sample.json', 'full.json']) {
  if (!readdirSync(folder).includes(name)) {
    console.error(`${name} is missing: that test run did not get to its end`);
    total.failed += 1;
    continue;
  }
  const counts = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  total.passed += counts.passed;
  total.failed += counts.failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
