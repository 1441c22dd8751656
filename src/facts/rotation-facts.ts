/** About a rotation on its way: what it waits for, what it warns of, why it stops. */
export type RotationFacts = {};
