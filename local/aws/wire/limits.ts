import type { ServiceProtocol } from './protocols.ts';

/** Constraints that the SDK's schemas leave out. */
export function checkInput(_service: ServiceProtocol, _operation: string, _input: Record<string, any>): void {}
