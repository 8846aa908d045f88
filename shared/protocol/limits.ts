// A limit on everything that a peer, a client or a guest can make grow. One row a limit: the value that the
// code enforces is the value that the docs print. Units are last in the names; counts have none.

const rows = {
  recordBytesMax: {
    value: 128 * 1024 * 1024,
    meaning: 'body of one record (REC_LENGTH_MAX of Xen)',
  },
  dirtyPagesMax: {
    value: 4096,
    meaning: 'changed pages that make a checkpoint due, where a dirty log counts them',
  },
  recordPages: { value: 256, meaning: 'pages in one PAGE_DATA record that we write' },
  deviceStateBytesMax: {
    value: 16 * 1024 * 1024,
    meaning: 'EMULATOR_CONTEXT and HVM_CONTEXT bodies',
  },
  dirtyPfnsMax: { value: 1 << 20, meaning: 'pfns in one CHECKPOINT_DIRTY_PFN_LIST' },
  inFlightBytesMax: {
    value: 8 * 1024 * 1024,
    meaning: 'bytes handed to the data channel and not yet taken by the kernel',
  },
  heldBytesMax: {
    value: 8 * 1024 * 1024,
    meaning: 'output held before input is paused; a quarter of it makes a checkpoint due',
  },
  clientOutputBytesMax: {
    value: 64 * 1024 * 1024,
    meaning: 'released output that one client has not read; more closes its connection',
  },
  outputBytesMax: {
    value: 96 * 1024 * 1024,
    meaning: 'released output that all clients together have not read; more resets the slowest one',
  },
  callOutputBytesMax: {
    value: 32 * 1024 * 1024,
    meaning: 'output of one call into the guest; what is beyond it is dropped and its client reset',
  },
  claimingClientsMax: {
    value: 256,
    meaning: 'new clients that wait, unread, while a side claims; more are reset',
  },
  guestInputBytesMax: {
    value: 4 * 1024 * 1024,
    meaning: 'client input handed to the guest and not yet taken by it before clients are paused',
  },
  connectionsMax: { value: 4096, meaning: 'client connections at one time' },
  controlAnswerBytesMax: {
    value: 4 * 1024 * 1024,
    meaning: 'one answer to an operator: the whole history fits',
  },
  controlMessageBytesMax: {
    value: 256 * 1024,
    meaning: 'one message to a side on the control channel',
  },
  controlConnectionsMax: {
    value: 64,
    meaning: 'control connections that have shown the token: peers, and as many operators',
  },
  operatorsMax: {
    value: 32,
    meaning: 'operators without the token; a newer one takes the place of the longest idle',
  },
  strangersMax: {
    value: 32,
    meaning:
      'connections to the control port, and to the data port, that have shown nothing yet and are older than strangerGraceMs; a newer one takes the place of the oldest',
  },
  strangersBurstMax: {
    value: 256,
    meaning: 'the same, whatever their age; fewer where RLIMIT_NOFILE is below 4096',
  },
  strangerBytesMax: { value: 4096, meaning: 'what a control connection may say before its hello' },
  operatorBytesMax: {
    value: 16 * 1024,
    meaning: 'what an operator without the token may say a second; more waits',
  },
  operatorOutputBytesMax: {
    value: 16 * 1024 * 1024,
    meaning: 'answers that all operators together have not read; more closes the slowest one',
  },
  refusalLinesMax: {
    value: 10,
    meaning: 'log lines about strangers in ten seconds; the others are counted in one line',
  },
  tokenLineBytesMax: { value: 128, meaning: 'the first line on the data channel' },
  checkpointRows: { value: 1024, meaning: 'checkpoints kept in the history' },
  failoverRows: { value: 64, meaning: 'failovers kept in the history' },
  recordingBytesMax: {
    value: 512 * 1024 * 1024,
    meaning: 'bytes of a recording not yet on disk; more ends the recording, never a checkpoint',
  },
  poisonHeadBytes: {
    value: 1024,
    meaning: 'of the input that a guest died of: the first bytes, of which a digest is kept',
  },
  poisonBytesMin: {
    value: 4,
    meaning: 'shorter input that a guest died of is not recognised: others say the same',
  },
  poisonMarksMax: { value: 16, meaning: 'inputs that a guest died of and that are recognised' },
  logQueueBytesMax: {
    value: 1024 * 1024,
    meaning: 'log lines that are not written yet; more are dropped and counted, nothing waits',
  },
  memoryBytesMax: { value: 2 * 1024 * 1024 * 1024, meaning: 'RAM of an embedded guest' },
} as const

export type LimitName = keyof typeof rows
export const LIMITS: Readonly<Record<LimitName, number>> = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, row.value]),
) as Record<LimitName, number>
export const LIMIT_MEANINGS: Readonly<Record<LimitName, string>> = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, row.meaning]),
) as Record<LimitName, string>
