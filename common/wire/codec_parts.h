#pragma once
// Inside of the codec: one put and one get per message. Includes the generated types; only codec*.cc include this.
#include "common/wire/codec.h"
#include "common/wire/wire.capnp.h"

namespace dyad::wire::parts {

// put fills a builder; get reads one, and fails with kInvalid on values that this build does not know. Both may throw
// kj::Exception, which codec.cc catches.
#define DYAD_WIRE_PART(Type)                     \
  void put(const Type&, schema::Type::Builder);  \
  Result<Type> get(schema::Type::Reader)
DYAD_WIRE_PART(Pull);
DYAD_WIRE_PART(PullReply);
DYAD_WIRE_PART(Push);
DYAD_WIRE_PART(PushReply);
DYAD_WIRE_PART(Register);
DYAD_WIRE_PART(Registered);
DYAD_WIRE_PART(Routing);
DYAD_WIRE_PART(Heartbeat);
DYAD_WIRE_PART(HeartbeatReply);
DYAD_WIRE_PART(AcquireLease);
DYAD_WIRE_PART(Lease);
DYAD_WIRE_PART(CompleteLease);
DYAD_WIRE_PART(CutPart);
DYAD_WIRE_PART(CutStatus);
DYAD_WIRE_PART(EvalResult);
DYAD_WIRE_PART(Goodbye);
DYAD_WIRE_PART(ErrorReply);
#undef DYAD_WIRE_PART

}  // namespace dyad::wire::parts
