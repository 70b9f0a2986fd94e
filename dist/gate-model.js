import { start } from './index.js';
await start('gate-model');
