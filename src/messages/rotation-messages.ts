import type { RotationFacts } from '../facts/rotation-facts.ts';
import type { Messages } from './message.ts';

export const rotationMessages: Messages<RotationFacts> = {};
