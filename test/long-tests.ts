// What `npm test -- --all` adds: tests that run for seconds in a bare `npm test`, or not at all, read these variables.
// One that is set already keeps its value.

export const LONG_TESTS: Readonly<Record<string, { value: string; what: string }>> = {
  COLO_FUZZ_RUNS: { value: '900', what: "damaged streams of QEMU's migration" },
  COLO_FUZZ_ROUNDS: { value: '12000', what: 'damaged BER' },
  COLO_MUTANTS: { value: '250000', what: "damaged streams of Xen's migration" },
  COLO_FUZZ_SECONDS: { value: '60', what: 'the guided fuzzer, for each format' },
  COLO_MODEL_SECONDS: { value: '30', what: 'random commands to the shipped guest and to Redis' },
  COLO_INSTALLATIONS: { value: '1', what: 'fresh clones, installed with npm 9, 10 and 11' },
  COLO_LONG: {
    value: '1',
    what: 'whole tables, slow floods, and planted bugs that are found late; a bare run takes a part',
  },
}

/** The long tests are asked for. */
export const isLong = process.env['COLO_LONG'] !== undefined

export function askForLongTests(env: NodeJS.ProcessEnv): void {
  for (const [name, { value }] of Object.entries(LONG_TESTS)) env[name] ??= value
}
