// Transactions are not supported. A client that sends MULTI means its commands to be carried out together or not
// at all, and many send them without waiting for the answer to MULTI. So when MULTI is refused, all that follows
// is refused too, up to EXEC or DISCARD.
import { Command } from './command-table'
import { Connection } from './connections'
import { replyError, replyOk } from './reply'

/** What is carried out although MULTI was refused. */
export function isHeardInMulti(command: i32): bool {
  switch (command) {
    case Command.Discard:
    case Command.Exec:
    case Command.Multi:
    case Command.Quit:
    case Command.Reset:
    case Command.Web:
      return true
    default:
      return false
  }
}

export function multi(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (fields.refusing) replyError('ERR MULTI calls can not be nested')
  else replyError('ERR MULTI is not supported')
  fields.refusing = true
}

export function exec(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (fields.refusing) {
    replyError('EXECABORT Transaction discarded because of: MULTI is not supported')
  } else replyError('ERR EXEC without MULTI')
  fields.refusing = false
}

export function discard(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (fields.refusing) replyOk()
  else replyError('ERR DISCARD without MULTI')
  fields.refusing = false
}

export function refuseWatch(): void {
  replyError('ERR WATCH is not supported: neither are transactions')
}
