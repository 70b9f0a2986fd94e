import { defineAction } from '../../src/github/action.ts';
import { type Inputs, inputs, type Output } from './interface.generated.ts';

export default defineAction<Inputs, Output>('cleanup', inputs, () => import('./run.ts'));
