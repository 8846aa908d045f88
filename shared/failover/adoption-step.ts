// The steps of an operator's `adopt`, as both roles hear of them. On the side that adopts: begun, then won or
// failed. On its peer: asked, and then over (nothing was written) or lost (the other side has the guest).

export type AdoptionStep = 'begun' | 'won' | 'failed' | 'asked' | 'over' | 'lost'
