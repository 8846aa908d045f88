// Binds the names of the statechart to what they do: one short function a name, in the order in which a
// checkpoint, a claim and a farewell use them. Each is a synchronous call out; what comes of it is an event.

import type { PrimaryAction } from './machine.ts'
import type { PrimaryParts } from './primary.ts'

export function primaryEffects(side: PrimaryParts): Record<PrimaryAction, () => void> {
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
      notes.received(gate.release(side.captured.epoch))
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
