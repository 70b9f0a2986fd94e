import { defineAction } from '../../src/github/action.ts';
import { type Inputs, inputs, type Output } from './interface.generated.ts';

export default defineAction<Inputs, Output>('check-project', inputs, () => import('./run.ts'));
