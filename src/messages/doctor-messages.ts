import type { DoctorFacts } from '../facts/doctor-facts.ts';
import type { Messages } from './message.ts';

export const doctorMessages: Messages<DoctorFacts> = {};
