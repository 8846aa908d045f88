// Binds the names of the statechart to what they do: one short function a name, in the order in which a
// checkpoint, a claim and a clean stop use them. Each is a synchronous call out; what comes of it is an event.

import type { SideRecord } from '../shared/failover/side-record.ts'
import type { WitnessClient } from '../shared/failover/witness-client.ts'
import type { World } from '../shared/ports.ts'
import type { ErrorCode } from '../shared/protocol/errors.ts'
import type { Epoch, Incarnation } from '../shared/protocol/register.ts'
import type { Trigger } from '../shared/protocol/rows.ts'
import type { Deadline } from '../shared/role/deadline.ts'
import type { Session } from '../shared/role/session.ts'
import type { CheckpointTrigger } from './checkpoint-trigger.ts'
import type { CheckpointWriter } from './checkpoint-writer.ts'
import type { ClientConnections } from './client-connections.ts'
import type { PrimaryAction } from './machine.ts'
import type { OutputGate } from './output-gate.ts'
import type { RoundNotes } from './round-notes.ts'

/** What the effects need of their side; Primary is one. */
export interface PrimaryEffectsOn {
  readonly world: World
  readonly record: SideRecord
  readonly witness: WitnessClient
  readonly deadline: Deadline
  readonly gate: OutputGate
  readonly clients: ClientConnections
  readonly trigger: CheckpointTrigger
  readonly notes: RoundNotes
  /** Both throw where there is no session. */
  readonly session: Session
  readonly writer: CheckpointWriter
  readonly secondary: Incarnation
  readonly captured: { readonly epoch: Epoch }
  readonly dueTrigger: Trigger
  readonly deathOfGuest: string
  replied: boolean
  nextCapture(): number
  addAsked(): void
  pump(): void
  finishRound(): void
  whyAlone(): string
  tell(code: ErrorCode, detail: string): void
  changed(reason: string): void
  left(): void
  guestDied(why: string, call?: World['guest']['call']): void
  endSession(code: ErrorCode, detail: string): void
  describeForeign(): string
}

export function primaryEffects(side: PrimaryEffectsOn): Record<PrimaryAction, () => void> {
  const { world, record, gate, trigger, notes, witness } = side
  const { guest, output } = world

  return {
    releaseFreely() {
      gate.open()
      trigger.disarm()
      output.pauseInput(false)
      output.serve(gate.isShut ? 'no' : 'yes')
      side.changed(side.whyAlone())
    },

    captureAll() {
      notes.begin('seed')
      guest.store.touch()
      side.replied = true
      side.writer.open()
      guest.capture(side.nextCapture(), 'all')
      side.changed('a secondary joined: a full copy is on its way')
    },
    awaitNothing() {
      side.deadline.clear()
    },
    armTrigger() {
      trigger.arm()
    },
    sendRequest() {
      notes.begin(side.dueTrigger)
      side.replied = false
      side.writer.request()
    },
    captureDirty() {
      guest.capture(side.nextCapture(), 'dirty')
    },
    noteReply() {
      side.replied = true
      notes.replied()
    },
    sendCaptured() {
      side.pump()
    },
    sendVmstate() {
      side.addAsked()
      side.pump()
    },
    noteSent() {
      notes.sent()
    },
    releaseCommitted() {
      const released = gate.release(side.captured.epoch)
      notes.received(released)
      side.clients.consider()
    },
    finishCheckpoint() {
      side.finishRound()
    },

    writePair() {
      witness.writePair({
        kind: 'pair',
        primary: record.incarnation,
        secondary: side.secondary,
        session: record.session,
      })
    },
    announcePair() {
      if (record.known) side.session.send({ type: 'register', register: record.known })
      side.changed('the pair is recorded by the witness')
    },

    holdAll() {
      gate.hold()
      trigger.disarm()
      if (!gate.isShut) output.serve('claiming')
      side.changed('asking the witness who goes on')
    },
    writeAlone() {
      witness.writeAlone()
    },
    stopAsking() {
      witness.forget()
    },
    readRegister() {
      witness.read('claimed')
    },
    readOwned() {
      // A side that is being stopped writes the register itself, and what it reads must not surprise it.
      if (!gate.isShut) witness.read('owned')
    },
    writeForward() {
      witness.writeForward()
    },
    tellBehind() {
      world.trace.error('witness-went-backwards', record.describeTrouble())
    },
    standDown() {
      side.tell('superseded', record.describeShown())
      trigger.disarm()
      // What is held is dropped with the clients that it was for.
      gate.hold()
      output.serve('no')
      output.closeAll()
      side.changed(`somebody else owns the pair: ${record.describeShown()}`)
    },
    yieldSession() {
      side.session.end('handed-over', 'handed over by request')
    },
    leave() {
      witness.forget()
      trigger.disarm()
      gate.discard()
      guest.stop()
      output.serve('no')
      output.closeAll()
      // The next role is built once this one's transition is over.
      world.clock.soon(() => side.left())
    },
    tellGuestDied() {
      side.tell('guest-died', side.deathOfGuest)
    },
    tellClaimLost() {
      side.tell('claim-lost', record.describeShown())
    },
    guestTooSlow() {
      side.guestDied('not captured within suspendTimeoutMs', guest.call)
    },
    protocolViolation() {
      side.endSession('protocol-violation', side.describeForeign())
    },
  }
}
