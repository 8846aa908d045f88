// Every wait in the pair has a name, a default and something that happens when it passes; this table is the
// only place where they stand. Machines name their delays by these keys, the command line derives its
// options from them, and docs/operating.md prints the table. All values are milliseconds.

interface DelayRow {
  readonly ms: number
  readonly meaning: string
  readonly whenItPasses: string
}

const rows = {
  heartbeatMs: {
    ms: 50,
    meaning: 'between two heartbeats on the control channel',
    whenItPasses: 'the next heartbeat is sent',
  },
  suspectMs: {
    ms: 400,
    meaning: 'silence of the peer on the control channel',
    whenItPasses: 'the peer is suspected and the session ends',
  },
  dataStallMs: {
    ms: 800,
    meaning:
      'for the data channel to take some of the bytes that wait on it, while the control channel lives; by default twice suspectMs',
    whenItPasses: 'the session ends',
  },
  claimHandicapMs: {
    ms: 25,
    meaning: 'how long a secondary lets the primary go first after a suspicion',
    whenItPasses: 'the secondary reads the register and claims',
  },
  commitWithinMs: {
    ms: 5,
    meaning: 'after the first byte of output is held',
    whenItPasses: 'a checkpoint is due',
  },
  periodMs: {
    ms: 100,
    meaning: 'after the end of the last checkpoint, when nothing is held',
    whenItPasses: 'a checkpoint is due',
  },
  helloTimeoutMs: {
    ms: 2000,
    meaning: 'for a dialled peer to answer hello, and for a welcomed one to dial the data channel',
    whenItPasses: 'the connection is closed',
  },
  suspendTimeoutMs: {
    ms: 15000,
    meaning: 'for the PVM to be suspended at a call boundary and captured',
    whenItPasses: 'the guest counts as dead',
  },
  replyTimeoutMs: {
    ms: 3000,
    meaning: 'for the answer to checkpoint-request',
    whenItPasses: 'the session ends',
  },
  sendTimeoutMs: {
    ms: 10000,
    meaning: 'for the data channel to take more of a checkpoint',
    whenItPasses: 'the session ends',
  },
  receivedTimeoutMs: {
    ms: 10000,
    meaning: 'for vmstate-received after the last byte was handed over',
    whenItPasses: 'the session ends',
  },
  loadedTimeoutMs: {
    ms: 10000,
    meaning: 'for vmstate-loaded after vmstate-received',
    whenItPasses: 'the session ends',
  },
  requestTimeoutMs: {
    ms: 30000,
    meaning: 'for the next checkpoint-request, on the secondary',
    whenItPasses: 'the session ends',
  },
  vmstateTimeoutMs: {
    ms: 20000,
    meaning: 'for the next byte of a checkpoint under way, on the secondary',
    whenItPasses: 'the session ends',
  },
  loadTimeoutMs: {
    ms: 10000,
    meaning: 'for a guest to run after a failover or a cold start',
    whenItPasses: 'the guest counts as dead',
  },
  witnessTimeoutMs: {
    ms: 1000,
    meaning: 'for an answer of the witness',
    whenItPasses: 'the same question is asked again',
  },
  witnessRetryMs: {
    ms: 50,
    meaning: 'between two questions to the witness',
    whenItPasses: 'the witness is asked again',
  },
  witnessRetryMaxMs: {
    ms: 500,
    meaning: 'between two questions to a witness that decides nothing for long',
    whenItPasses: 'the witness is asked again',
  },
  registerCheckMs: {
    ms: 1000,
    meaning: 'between two looks of a lone owner at the register',
    whenItPasses:
      'the register is read; an operator waits three of these before a verb replaces it',
  },
  adoptionTimeoutMs: {
    ms: 10000,
    meaning: 'for an operator’s adopt on the other side to end, while this side claims nothing',
    whenItPasses: 'this side claims again',
  },
  yieldTimeoutMs: {
    ms: 2000,
    meaning: 'for the secondary to claim after a hand-over',
    whenItPasses: 'the primary claims the guest back',
  },
  reconnectMs: {
    ms: 100,
    meaning: 'between two attempts of a secondary to join',
    whenItPasses: 'the peer is dialled again',
  },
  haltedRecheckMs: {
    ms: 500,
    meaning: 'between two looks at the register while halted',
    whenItPasses: 'the register is read again',
  },
  guestCallTimeoutMs: {
    ms: 10000,
    meaning: 'for one call into an embedded guest',
    whenItPasses: 'the guest counts as dead (a spin)',
  },
  poisonKeptMs: {
    ms: 600000,
    meaning: 'after the input that a guest died of came last',
    whenItPasses: 'that input is taken again',
  },
  drainTimeoutMs: {
    ms: 5000,
    meaning: 'for a client to read the rest after the guest has closed its connection',
    whenItPasses: 'the connection is reset',
  },
  claimingClientsMs: {
    ms: 1500,
    meaning: 'from the beginning of a claim: how long new clients are kept waiting',
    whenItPasses: 'they are reset, and later ones are refused',
  },
  clientKeepAliveMs: {
    ms: 60000,
    meaning: 'silence on a TCP connection of a client, an operator or a peer',
    whenItPasses: 'the kernel asks whether the other machine lives, ten times, a second apart',
  },
  operatorPingMs: {
    ms: 10000,
    meaning: 'between two WebSocket pings on a control connection',
    whenItPasses: 'a connection that has not answered the last ping is closed',
  },
  operatorIdleMs: {
    ms: 60000,
    meaning: 'for an operator to ask something, if it does not watch, or to read an answer',
    whenItPasses: 'its connection is closed',
  },
  strangerGraceMs: {
    ms: 250,
    meaning: 'how long a new connection keeps its place when all places are taken',
    whenItPasses: 'a newer connection may take its place',
  },
  fileRetryMs: {
    ms: 1000,
    meaning: "at most, between two tries to write a daemon's own file or its log after an error",
    whenItPasses: 'the write is tried again',
  },
} as const satisfies Record<string, DelayRow>

export type DelayName = keyof typeof rows
export type Delays = Readonly<Record<DelayName, number>>

export const DELAYS: Readonly<Record<DelayName, DelayRow>> = rows

export const DELAY_NAMES = Object.keys(rows) as DelayName[]

/** Waits that follow from others; machines name them as they name the rows. Milliseconds. */
export const DERIVED_DELAYS = {
  /** At first; doubled with each answer that decides nothing, up to witnessRetryMaxMs. */
  witnessBackOffMs: (delays: Delays) => delays.witnessRetryMs,
  /** For an owner that lives and reaches the witness to read that it is replaced, and to close its clients. */
  coldStartMs: (delays: Delays) => 2 * delays.registerCheckMs + delays.suspectMs,
} as const

export type DerivedDelayName = keyof typeof DERIVED_DELAYS

/** Both kinds, as machines take them. */
export function machineDelays(
  delays: Delays,
): Readonly<Record<DelayName | DerivedDelayName, number>> {
  const { witnessBackOffMs, coldStartMs } = DERIVED_DELAYS
  return {
    ...delays,
    witnessBackOffMs: witnessBackOffMs(delays),
    coldStartMs: coldStartMs(delays),
  }
}

/** The defaults, with what the user gave in their place. Milliseconds. */
export function delaysWith(given: Partial<Delays> = {}): Delays {
  const delays = {} as Record<DelayName, number>
  for (const name of DELAY_NAMES) delays[name] = given[name] ?? rows[name].ms
  delays.dataStallMs = given.dataStallMs ?? 2 * delays.suspectMs
  return delays
}
