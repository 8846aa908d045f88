// The words of the checkpoint protocol. QEMU's names are the words of the machines, the log and the
// statistics; Xen's CHECKPOINT_STATE ids are what stands on the wire (spec: xen-streams, sections 2 and 5).

export type Role = 'primary' | 'secondary'

interface MessageRow {
  readonly sender: Role
  readonly wire: string
  readonly meaning: string
}

export const MESSAGES = {
  'checkpoint-ready': {
    sender: 'secondary',
    wire: 'SVM_READY, SVM_RESUMED after the first CHECKPOINT_END',
    meaning: 'seeded: a full copy of the guest is on the secondary',
  },
  'checkpoint-request': {
    sender: 'primary',
    wire: 'CHECKPOINT_STATE NEW',
    meaning: 'a checkpoint is due; the PVM is suspended, captured and resumed',
  },
  'checkpoint-reply': {
    sender: 'secondary',
    wire: 'CHECKPOINT_STATE SVM_SUSPENDED, CHECKPOINT_DIRTY_PFN_LIST',
    meaning: 'the SVM stands still; these of its pages must be overwritten',
  },
  'vmstate-send': {
    sender: 'primary',
    wire: 'PAGE_DATA .. CHECKPOINT, EMULATOR_CONTEXT, CHECKPOINT_END',
    meaning: 'pages dirty on either side, CPU and device state',
  },
  'vmstate-received': {
    sender: 'secondary',
    wire: 'CHECKPOINT_STATE SVM_READY',
    meaning: 'the commit point: all of it is here and validated',
  },
  'vmstate-loaded': {
    sender: 'secondary',
    wire: 'CHECKPOINT_STATE SVM_RESUMED',
    meaning: 'applied: the SVM is level with the checkpoint',
  },
} as const satisfies Record<string, MessageRow>

export type MessageName = keyof typeof MESSAGES

/**
 * Major and minor version of what the daemons say to each other. A different major is refused, and so is a peer
 * older than MINOR_LEAST: its register has no identity, and its checkpoints have no digest.
 */
export const PROTOCOL_VERSION = { major: 1, minor: 1 } as const
export const MINOR_LEAST = 1

/** The first line on the data channel, before Xen's bytes: `colo-pair <major> <token>\n`, ASCII. */
export function tokenLine(token: string): string {
  return `colo-pair ${PROTOCOL_VERSION.major} ${token}\n`
}
