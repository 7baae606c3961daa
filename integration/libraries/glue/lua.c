/* Lua: runs the program that it reads, with the libraries that need no operating system. */
#include "host.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAM_BYTES_MAX = 64 << 10 };

int library_run(uint32_t seed) {
    static char program[PROGRAM_BYTES_MAX];
    size_t bytes = 0, more;
    while ((more = read_input(program + bytes, sizeof program - bytes)) != 0)
        bytes += more;
    REQUIRE(1, bytes > 0 && bytes < sizeof program);
    lua_State *lua = luaL_newstate();
    REQUIRE(2, lua != NULL);
    static const luaL_Reg libraries[] = {
        {"_G", luaopen_base},          {"coroutine", luaopen_coroutine},
        {"table", luaopen_table},      {"string", luaopen_string},
        {"utf8", luaopen_utf8},        {"debug", luaopen_debug},
    };
    for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    lua_pushinteger(lua, (lua_Integer)seed);
    lua_setglobal(lua, "seed");
    int status = luaL_loadbufferx(lua, program, bytes, "=program", "t");
    if (status == LUA_OK)
        status = lua_pcall(lua, 0, 0, 0);
    if (status != LUA_OK) {
        const char *message = lua_tostring(lua, -1);
        write_output(message, strlen(message));
    }
    lua_close(lua);
    REQUIRE(3, status == LUA_OK);
    return 0;
}
