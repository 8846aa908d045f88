// The five messages of one checkpoint and nothing else, in Node: what ping-pong.c does, with
// node:net.
//
//   request 16 bytes ->   <- reply 16 + list 8   state 200 ->   <- received 16   <- loaded 16
//
// The figure is the time from the request to the last byte of loaded, in milliseconds. Beside ping-
// pong.c it says what the event loop of Node costs a handshake; beside the real pair, what ours
// adds to that. 'data' handlers and setNoDelay, bytes are counted and not looked at: nothing in
// Node is simpler.
//
//   node ping-pong.js serve              prints {"port":N}, ends with its one connection
//   node ping-pong.js run PORT ROUNDS    prints {"p50":ms,"p99":ms,"rounds":N}
import net from 'node:net'

import { acceptOnePeer, connectTo, numberArgument, printFigures, usage } from './loopback.ts'

const requestBytes = 16
const replyBytes = 16 + 8
const sendBytes = 200
const answerBytes = 16
const warmUpRounds = 1000

const bytes = (count: number) => Buffer.alloc(count)

/** Calls `whole` each time as many bytes have come as `wanted` says for that step. */
function onMessages(socket: net.Socket, wanted: readonly number[], whole: (step: number) => void) {
  let step = 0
  let have = 0
  socket.on('data', (chunk) => {
    have += chunk.length
    for (let want = wanted[step]; have >= want; want = wanted[step]) {
      have -= want
      const done = step
      step = (step + 1) % wanted.length
      whole(done)
    }
  })
}

async function serve() {
  const peer = await acceptOnePeer()
  const reply = bytes(replyBytes)
  const answer = bytes(answerBytes)
  onMessages(peer, [requestBytes, sendBytes], (step) => {
    if (step === 0) {
      peer.write(reply)
      return
    }
    peer.write(answer) // received
    peer.write(answer) // loaded, a message of its own
  })
}

async function run(port: number, rounds: number) {
  const peer = await connectTo(port)
  const request = bytes(requestBytes)
  const state = bytes(sendBytes)
  const samples = new Float64Array(rounds)
  let round = -warmUpRounds
  let start = 0

  function ask() {
    start = performance.now()
    peer.write(request)
  }
  onMessages(peer, [replyBytes, 2 * answerBytes], (step) => {
    if (step === 0) {
      peer.write(state)
      return
    }
    if (round >= 0) samples[round] = performance.now() - start
    round++
    if (round < rounds) {
      ask()
      return
    }
    peer.end()
    printFigures(samples, {})
  })
  ask()
}

const [verb, port, rounds] = process.argv.slice(2)
if (verb === 'serve') await serve()
else if (verb === 'run') {
  await run(numberArgument(port, 1, 65_535), numberArgument(rounds, 1, 1_000_000))
} else usage('ping-pong.js serve | run PORT ROUNDS')
