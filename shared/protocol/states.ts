// What an operator sees of a side: one state, always with a reason. `accepted` is not `protected`: a side
// that has a peer but not yet a full, named copy on it is `seeding`.

export const STATES = {
  connecting: 'looking for the register or for the peer; does not serve',
  seeding: 'a first full copy is on its way, or the witness has not yet recorded the pair',
  protected: 'both sides hold the guest; what is acknowledged survives the death of either',
  claiming: 'the peer is gone; waiting for the witness to say who goes on; nothing is released',
  standalone: 'serves alone; the death of this side loses the guest',
  halted: 'must not serve until an operator or the register says otherwise',
} as const

export type StateName = keyof typeof STATES
export const STATE_NAMES = Object.keys(STATES) as StateName[]
