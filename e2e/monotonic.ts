/** Nanoseconds of a clock that is the same for all processes of a machine. */
export const monotonicNow = (): number => Number(process.hrtime.bigint());
