#pragma once

#include "config/hba.h"

namespace pgweir::proxy {

// The addresses that the machine's interfaces have now, each with its network.
config::OwnAddresses FindOwnAddresses();

}  // namespace pgweir::proxy
