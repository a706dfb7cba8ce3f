// The libraries' headers that most tests include: see pgweir_precompile.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "cmake/precompiled.h"
