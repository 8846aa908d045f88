// How a side ends when it is asked to, without taking the guest's state with it. Of a pair, the other side must
// have the guest before this one goes, or the register must say `stopped`: a register that names somebody who
// has ended by request would halt the next start, as after a loss. So a primary first hands over, and one that
// is left alone, because its peer is being stopped as well, writes `stopped`; a secondary that is about to own
// the guest waits until it does. Each step is taken when the state allows it; all together are bounded by time.

import type { Primary } from '../primary/primary.ts'
import type { Secondary } from '../secondary/secondary.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { World } from '../shared/ports.ts'
import { nextRegister } from '../shared/protocol/register.ts'
import type { Delays } from '../shared/protocol/delays.ts'

/** The register may move under the first writes: by this side's own claim, or by the pair being named. */
const WRITES_MAX = 3

export interface CleanStopOptions {
  readonly world: World
  readonly record: SideRecord
  readonly delays: Delays
  /** Both sides end; else the other one shall go on. */
  readonly pair: boolean
  readonly role: () => Primary | Secondary
  readonly ended: (why: string) => void
}

export class CleanStop {
  readonly #options: CleanStopOptions
  #writes = 0

  constructor(options: CleanStopOptions) {
    this.#options = options
    const { yieldTimeoutMs, witnessTimeoutMs } = options.delays
    this.#endWithin(yieldTimeoutMs + witnessTimeoutMs)
  }

  /** The next step, if the role and its state are ready for one. Called at each change of either. */
  proceed(): void {
    const { role, world, pair } = this.#options
    const now = role()
    if (now.role === 'secondary') {
      if (now.state !== 'claiming' || !world.witness.shared) this.#end()
      return
    }
    if (now.state === 'claiming' || this.#writes > 0) return
    if (now.state === 'halted') return this.#end()
    if (now.state === 'protected' && !pair) return this.#handOver(now)
    now.shut()
    this.#endWithin(this.#options.delays.witnessTimeoutMs)
    this.#writeStopped()
  }

  /**
   * The other side takes the guest, and this one is gone once the register says so. A peer that hangs is not
   * waited for until this side would claim back: it is named, and goes on with the guest when it wakes.
   */
  #handOver(primary: Primary): void {
    const { world, delays } = this.#options
    if (!world.witness.shared || !primary.handOver()) return this.#end()
    return this.#endWithin(delays.yieldTimeoutMs / 2)
  }

  #writeStopped(): void {
    const { world, record, pair } = this.#options
    const from = record.known
    if (from === undefined) return this.#end()
    this.#writes++
    const next = nextRegister(from, world.random.token(), { kind: 'stopped' })
    return world.witness.compareAndSet(from, next, (answer) => {
      const { register } = answer
      const holder = register?.holder
      const mine =
        (holder?.kind === 'alone' && holder.owner === record.incarnation) ||
        (pair && holder?.kind === 'pair' && holder.primary === record.incarnation)
      record.saw(answer, world.clock.now())
      const isNewer = record.known?.nonce === register?.nonce && register?.nonce !== from.nonce
      if (mine && isNewer && this.#writes < WRITES_MAX) return this.#writeStopped()
      return this.#end()
    })
  }

  #endWithin(ms: number): void {
    this.#options.world.clock.setTimeout(() => this.#end(), ms)
  }

  #end(): void {
    const { pair, role, ended } = this.#options
    const now = role()
    if (pair && now.role === 'primary') now.tellStopped()
    ended(pair ? 'the pair was stopped' : 'stopped by request')
  }
}
