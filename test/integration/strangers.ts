// Strangers as a test needs them: connections to the ports of a side that show no token, or the wrong one.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'

/** What a connection says first to ask questions; it needs no token. */
export const OPERATOR_HELLO = JSON.stringify({
  type: 'hello',
  from: 'operator',
  version: { major: 1, minor: 0 },
})

export async function knockAt(port: number, headers?: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers, perMessageDeflate: false })
  const opened = once(socket, 'open')
  socket.on('error', () => {})
  await opened
  return socket
}

/** A connection that says an operator's hello, and no more. */
export async function idleOperator(port: number): Promise<WebSocket> {
  const socket = await knockAt(port)
  socket.send(OPERATOR_HELLO)
  return socket
}

/** Resolves once it is connected, or once that failed. What becomes of it is the test's business. */
export async function connectTo(port: number, first = ''): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let localPort = 0
  socket.once('connect', () => (localPort = socket.localPort ?? 0))
  const end = new Promise<'reset' | 'end'>((resolve) => {
    socket.on('error', () => resolve('reset'))
    socket.on('end', () => resolve(isKnown(localPort, port) ? 'end' : 'reset'))
    socket.on('close', () => resolve('reset'))
  })
  ENDS.set(socket, end)
  await new Promise((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', resolve)
  })
  if (first !== '') socket.write(first)
  return socket
}

const ENDS = new WeakMap<Socket, Promise<'reset' | 'end'>>()

/** How a connection of `connectTo` ended: by a reset, or in order. Reads what there is of it. */
export async function endOf(socket: Socket): Promise<'reset' | 'end'> {
  socket.resume()
  return ENDS.get(socket) ?? 'end'
}

/**
 * Node shows a reset as an orderly end where something was left to read. But the system knows a connection that
 * ended in order, until this side ends it too, and has forgotten one that was reset.
 */
function isKnown(localPort: number, remotePort: number): boolean {
  const [local, remote] = [localPort, remotePort].map(
    (port) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`,
  )
  // Both ends: the system gives a port to several connections that go elsewhere, and remembers those for a minute.
  return readFileSync('/proc/net/tcp', 'utf8').includes(`${local} ${remote} `)
}

/** Keeps `count` connections to a port, each replaced as soon as it is closed. Returns what ends it. */
export function crowdAt(port: number, count: number): () => void {
  const sockets = new Set<Socket>()
  let isOver = false
  const one = () => {
    if (isOver) return
    const socket = connect({ port, host: '127.0.0.1' })
    sockets.add(socket)
    socket.resume()
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      setTimeout(one, 5)
    })
  }
  for (let i = 0; i < count; i++) one()
  return () => {
    isOver = true
    for (const socket of sockets) socket.destroy()
  }
}
