import { Refusal } from './refusal.ts';

/**
 * A rotation that no try brings on, as long as nobody puts something right by hand. An emergency ends it and takes
 * its place; so does the end of a way back.
 */
export class NoWayForward extends Refusal {}
