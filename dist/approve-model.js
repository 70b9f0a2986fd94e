import { start } from './index.js';
await start('approve-model');
