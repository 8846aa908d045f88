// The control channel between the two sides, at either end of it.

import type { WebSocket } from 'ws'
import type { ControlLink, ControlLinkHandlers } from '../shared/ports.ts'
import { LIMITS } from '../shared/protocol/limits.ts'
import { describeZodError, parseMessage } from './control-text.ts'
import { peerMessageSchema, type PeerMessage } from '../shared/protocol/control-messages.ts'

const LAST_WORD_MS = 1000

/** Checks what comes, and closes the link on what it does not understand, or when nothing is read of it. */
export function peerLink(
  socket: WebSocket,
  handlers: () => ControlLinkHandlers | undefined,
  bad: (why: string) => void,
): ControlLink {
  let closed = false
  let hungUp = false
  const close = () => {
    if (closed || hungUp) return
    closed = true
    handlers()?.closed()
  }
  socket.on('message', (data, isBinary) => {
    const current = handlers()
    if (closed || current === undefined) return
    const parsed = parseMessage(data, isBinary)
    const message =
      typeof parsed === 'string' ? undefined : peerMessageSchema.safeParse(parsed.json)
    if (hungUp && (!message?.success || message.data.type !== 'bye')) return
    if (message?.success) return current.message(message.data)
    bad(typeof parsed === 'string' ? parsed : describeZodError(message!.error))
    socket.terminate()
  })
  socket.on('close', close)
  socket.on('error', close)
  return {
    send: (message: PeerMessage) => {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount > LIMITS.controlMessageBytesMax) socket.terminate()
      else socket.send(JSON.stringify(message))
    },
    close: () => {
      hungUp = true
      socket.close()
      setTimeout(() => socket.terminate(), LAST_WORD_MS).unref()
    },
  }
}
