/** Nanoseconds of a clock that all processes of a machine share. */
export const monotonicNow = (): number => Number(process.hrtime.bigint());
