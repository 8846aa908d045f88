// Binds the names of the statechart to what they do: one short function a name, in the order in which a side
// looks for its place, follows a primary, and claims. Each is a synchronous call out; what comes of it is an
// event.

import { encodeRecord, fixedRecords, inOne } from '../formats/xen/record-encoder.ts'
import { LIBXC } from '../formats/xen/libxc-records.ts'
import type { SideRecord } from '../shared/failover/side-record.ts'
import type { WitnessClient } from '../shared/failover/witness-client.ts'
import type { DataChannel, World } from '../shared/ports.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'
import type { Deadline } from '../shared/role/deadline.ts'
import type { Joining } from './joining.ts'
import type { SecondaryAction, SecondaryEvent } from './machine.ts'

/** What the effects need of their side; Secondary is one. */
export interface SecondaryEffectsOn {
  readonly world: World
  readonly record: SideRecord
  readonly witness: WitnessClient
  readonly deadline: Deadline
  readonly joining: Joining
  /** One that takes nothing where there is no session. */
  readonly channel: DataChannel
  readonly reason: string
  forget(): void
  dropSeed(): void
  dropStage(): void
  commitStaged(): void
  beginApply(): () => boolean
  finishApply(): void
  noteProgress(): void
  progressed(): boolean
  startGuest(): void
  loadGuest(): void
  becomePrimary(): void
  send(event: SecondaryEvent): void
  changed(reason: string): void
  endSession(code: ErrorCode, detail: string): void
  describeForeign(): string
  describeGone(): string
}

/** In periodic mode the SVM stands still: it has no pages of its own to report. */
const CHECKPOINT_REPLY = inOne([
  fixedRecords.SVM_SUSPENDED,
  encodeRecord(LIBXC.CHECKPOINT_DIRTY_PFN_LIST, { words: new Uint8Array(0) }),
])

/** Pages applied before other events get their turn: a few milliseconds. */
const APPLY_PAGES = 4096

export function secondaryEffects(
  side: SecondaryEffectsOn,
): Record<SecondaryAction, () => void> & { hasStalled: () => boolean } {
  const { world, record, witness } = side
  const { guest, clock, output, trace } = world
  const { store } = guest

  return {
    forget() {
      side.forget()
      output.serve('no')
      side.changed('looking for the register and for the peer')
    },
    readAtStart() {
      witness.read('start')
    },
    stopAsking() {
      witness.forget()
    },
    dialPeer() {
      if (record.isUnvouched) side.changed(record.describeUnvouched())
      side.joining.dial()
    },
    hangUp() {
      side.joining.hangUp()
    },
    writeFirst() {
      witness.writeFirst()
    },
    doubtNewness() {
      record.doubtNewness()
    },
    awaitColdStart() {
      side.changed('starting over: an owner of the old register gets the time to stop')
    },
    readCold() {
      witness.read('owned')
    },
    startGuest() {
      side.startGuest()
    },

    awaitNothing() {
      side.deadline.clear()
    },
    openSession() {
      side.dropSeed()
      output.serve('no')
      side.changed('a full copy of the guest is coming')
    },
    sendReply() {
      side.channel.write([CHECKPOINT_REPLY])
    },
    watchProgress() {
      side.noteProgress()
    },
    hasStalled() {
      return !side.progressed()
    },
    commit() {
      store.commit()
      side.commitStaged()
      side.channel.write([fixedRecords.SVM_READY])
    },
    apply() {
      const isCurrent = side.beginApply()
      const slice = () => {
        if (!store.committed || !isCurrent()) return
        if (store.apply(APPLY_PAGES)) side.send({ type: 'vmstate.applied' })
        else clock.soon(slice)
      }
      slice()
    },
    sendLoaded() {
      side.channel.write([fixedRecords.SVM_RESUMED])
    },

    closeSession() {
      side.dropStage()
      output.serve('claiming')
      side.changed('asking the witness who goes on')
    },
    readToClaim() {
      witness.read('claim')
    },
    writeAlone() {
      witness.writeAlone()
    },
    promote() {
      side.finishApply()
    },
    loadGuest() {
      side.loadGuest()
    },
    tellClaimLost() {
      trace.error('claim-lost', record.describeShown())
    },
    becomePrimary() {
      // The next role is built once this one's transition is over.
      clock.soon(() => side.becomePrimary())
    },
    haltBackwards() {
      trace.error('witness-went-backwards', record.describeTrouble())
      side.changed(`witness went backwards: ${record.describeTrouble()}`)
    },
    haltSuperseded() {
      trace.error('superseded', record.describeShown())
      side.changed(
        `an operator began a cold guest: ${record.describeShown()}; restart gives up this state`,
      )
    },
    haltGone() {
      // Told once, however often the register is looked at again.
      const reason = `guest state lost: ${side.describeGone()}`
      if (side.reason === reason) return
      trace.error('guest-state-lost', side.describeGone())
      side.changed(reason)
    },
    readWhileHalted() {
      witness.read('halted')
    },
    protocolViolation() {
      side.endSession('protocol-violation', side.describeForeign())
    },
  }
}
