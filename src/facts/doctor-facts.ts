/** About what only doctor looks at. */
export type DoctorFacts = {};
