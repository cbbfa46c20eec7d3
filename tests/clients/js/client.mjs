// `client.mjs ALIAS JOB`: puts one version of socket.io-client through one scenario.
import { readFileSync } from 'node:fs';
import { chat } from './chat.mjs';
import { echo } from './echo.mjs';
import { Reporter } from './reporter.mjs';
import { refusal } from './refusal.mjs';

const [, , alias, text] = process.argv;
const job = JSON.parse(text);
const { version } = JSON.parse(readFileSync(new URL(`../node_modules/${alias}/package.json`, import.meta.url)));
const module = await import(alias);
const io = module.io ?? module.default.io ?? module.default;

const report = new Reporter(job.cannot);
report.say({ version });
await { chat, echo, refusal }[job.scenario](io, job, report);
process.exit(report.failed ? 1 : 0);
