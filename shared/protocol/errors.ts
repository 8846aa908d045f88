// Coded errors. Whatever goes wrong between the two sides, or between an operator and a side, has one row
// here; `wanted` tells what an operator asked for (a peer that left by request) from what nobody wanted.

interface ErrorRow {
  readonly wanted: boolean
  readonly meaning: string
  readonly wayOut: string
}

export const ERRORS = {
  'peer-left': {
    wanted: true,
    meaning: 'the peer was stopped by request',
    wayOut: 'start it again; it joins by itself',
  },
  'handed-over': {
    wanted: true,
    meaning: 'the primary handed the guest over by request',
    wayOut: 'nothing to do',
  },
  'connection-lost': {
    wanted: false,
    meaning: 'a channel to the peer was closed or reset',
    wayOut: 'look at the peer; it joins by itself once it is back',
  },
  'heartbeat-lost': {
    wanted: false,
    meaning: 'the peer was silent for suspectMs',
    wayOut: 'look at the peer and the network between',
  },
  'deadline-missed': {
    wanted: false,
    meaning: 'a step of the protocol took longer than its delay',
    wayOut: 'colo history names the step; raise the delay if the step is only slow',
  },
  'protocol-violation': {
    wanted: false,
    meaning: 'the peer sent what its state does not allow',
    wayOut: 'run the same version on both sides',
  },
  'bad-stream': {
    wanted: false,
    meaning: 'the bytes of the peer are no valid stream; the offset, record and rule are named',
    wayOut: 'record the session (--record): colo flatten names the place in the recording again',
  },
  'guest-died': {
    wanted: false,
    meaning: 'the guest trapped, or one call took longer than guestCallTimeoutMs',
    wayOut:
      'the other side does not take the same input for poisonKeptMs: keep the client that is named from sending it',
  },
  'claim-lost': {
    wanted: false,
    meaning: 'the witness has granted the guest to the other side',
    wayOut: 'nothing to do: this side comes back as a fresh secondary',
  },
  superseded: {
    wanted: false,
    meaning:
      'the register names another owner, or a guest that began cold, while this side holds the guest',
    wayOut:
      'look at both sides; a restart of this one gives its state up, colo adopt on a primary goes on with it',
  },
  'guest-state-lost': {
    wanted: false,
    meaning: 'every side that held the guest is gone',
    wayOut: 'colo start-over (cold), or colo adopt on a side that holds a copy',
  },
  'witness-went-backwards': {
    wanted: false,
    meaning: 'the register is missing, older than what this side has seen, or of another line',
    wayOut:
      'bring the right register back; if it is lost for good: colo adopt on a side that holds the guest, else colo start-over',
  },
  'wrong-token': {
    wanted: false,
    meaning: 'the token is missing or not the one of this pair',
    wayOut: 'give --token-file the file that the first daemon of the pair made',
  },
  'wrong-version': {
    wanted: false,
    meaning: 'the major protocol version differs, or the minor one is too old',
    wayOut: 'bring both sides to the same version',
  },
  'wrong-pair': {
    wanted: false,
    meaning: 'the peer belongs to another pair',
    wayOut: 'give both sides the same --pair',
  },
  'wrong-guest': {
    wanted: false,
    meaning: 'the peer runs another guest',
    wayOut: 'give both sides the same --guest file',
  },
  'wrong-memory': {
    wanted: false,
    meaning: 'the peer gives its guest another amount of memory',
    wayOut: 'give both sides the same --memory',
  },
  'not-primary': {
    wanted: true,
    meaning: 'this side does not own the guest',
    wayOut: 'the caller waits or tries the other side',
  },
  'already-paired': {
    wanted: false,
    meaning: 'this primary has a secondary',
    wayOut: 'stop one of the two secondaries',
  },
  'failback-not-asked': {
    wanted: true,
    meaning: 'failback is manual and nobody asked for it',
    wayOut: 'colo failback',
  },
  'bad-message': {
    wanted: false,
    meaning: 'a control message is no JSON or not of the schema',
    wayOut: 'the answer names the field',
  },
  'not-now': {
    wanted: false,
    meaning: 'the state of this side does not allow the verb',
    wayOut: 'the answer names the state and what it allows',
  },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERRORS

export function isWanted(code: ErrorCode): boolean {
  return ERRORS[code].wanted
}
