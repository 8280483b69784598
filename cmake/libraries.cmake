# The libraries: each shared and static from the same objects, with what an installed one needs to be found.

# A shared and a static library of those object libraries, with the version script that keeps internal names inside; a
# pkg-config file, and a component of the CMake package.
#
#   whence_library(<name> OBJECTS <object library>...
#       [DESCRIPTION <text>]
#       [HEADERS <header below include/>...]
#       [LINK <target>...]          what the code calls, and no header of ours shows
#       [PUBLIC_LINK <target>...]   what its header includes
#       [NEEDS <whence library>...]
#       [KEEP <symbol>...])         the library works by being there: it is linked even where no object refers to it
function(whence_library name)
    cmake_parse_arguments(LIB "" "DESCRIPTION" "OBJECTS;HEADERS;LINK;PUBLIC_LINK;NEEDS;KEEP" ${ARGN})
    string(REGEX REPLACE "^whence-" "" component ${name})
    if(NOT LIB_DESCRIPTION)
        set(LIB_DESCRIPTION "Whence: ${component}")
    endif()
    list(TRANSFORM LIB_OBJECTS REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)

    add_library(${name} SHARED ${objects})
    set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        EXPORT_NAME ${component} LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/whence.map)
    target_link_options(${name} PRIVATE
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/whence.map -Wl,-z,nodelete ${WHENCE_NO_UNDEFINED})
    target_link_libraries(${name} PRIVATE ${LIB_LINK})

    add_library(${name}-static STATIC ${objects})
    set_target_properties(${name}-static PROPERTIES OUTPUT_NAME ${name} EXPORT_NAME ${component}-static)
    target_link_libraries(${name}-static PUBLIC ${LIB_LINK})

    foreach(kind "" -static)
        set_target_properties(${name}${kind} PROPERTIES LINKER_LANGUAGE C)
        target_include_directories(${name}${kind} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        list(TRANSFORM LIB_NEEDS APPEND "${kind}" OUTPUT_VARIABLE needs)
        target_link_libraries(${name}${kind} PUBLIC ${needs} ${LIB_PUBLIC_LINK})
        add_library(whence::${component}${kind} ALIAS ${name}${kind})
    endforeach()

    # A weak reference does not pull a library in: without this --as-needed drops the shared one, and the archive's member
    # stays where it is.
    if(LIB_KEEP)
        target_link_options(${name} INTERFACE
            "LINKER:--push-state,--no-as-needed,$<TARGET_FILE:$<TARGET_NAME:${name}>>,--pop-state")
        list(TRANSFORM LIB_KEEP PREPEND "LINKER:-u," OUTPUT_VARIABLE kept)
        target_link_options(${name}-static INTERFACE ${kept})
    endif()
    if(WHENCE_INSTALL)
        whence_package(${name} ${component} DESCRIPTION "${LIB_DESCRIPTION}" HEADERS ${LIB_HEADERS} KEEP ${LIB_KEEP}
            LINK ${LIB_LINK} PUBLIC_LINK ${LIB_PUBLIC_LINK} NEEDS ${LIB_NEEDS})
    endif()
endfunction()

# Whence in somebody else's library: whence-<name> with the header whence/<name>.h, which sees of Whence what every user
# sees. Left out where that library is not here, unless WHENCE_INTEGRATIONS asks for it by name.
#
#   whence_integration(<name> LINK <target>... SOURCES <file>...)
function(whence_integration name)
    cmake_parse_arguments(INT "" "" "LINK;SOURCES" ${ARGN})
    if(NOT WHENCE_INTEGRATIONS STREQUAL "auto" AND NOT name IN_LIST WHENCE_INTEGRATIONS)
        return()
    endif()
    foreach(target IN LISTS INT_LINK)
        whence_dependency(${target} find module)
        cmake_language(EVAL CODE "${find}")
        if(TARGET ${target})
            continue()
        elseif(name IN_LIST WHENCE_INTEGRATIONS)
            message(FATAL_ERROR "whence-${name} needs ${module}, which was not found")
        endif()
        message(STATUS "whence-${name} is left out: ${module} was not found")
        return()
    endforeach()

    add_library(whence_${name} OBJECT ${INT_SOURCES})
    target_include_directories(whence_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(whence_${name} PRIVATE ${INT_LINK})
    whence_compiles(whence_${name})
    whence_library(whence-${name} OBJECTS whence_${name} DESCRIPTION "Whence in ${name}" HEADERS whence/${name}.h
        PUBLIC_LINK ${INT_LINK} NEEDS whence)
endfunction()

# How a target of another project is found, here and by those who link an installed Whence: the CMake code for it, and its
# pkg-config module (empty: none). PkgConfig::<module> is any library that only pkg-config knows.
function(whence_dependency target find module)
    set(known
        "CURL::libcurl CURL libcurl"
        "SQLite::SQLite3 SQLite3 sqlite3"
        "Threads::Threads Threads -"
        "ZLIB::ZLIB ZLIB zlib")
    list(FILTER known INCLUDE REGEX "^${target} ")
    if(known)
        string(REPLACE " " ";" known "${known}")
        list(GET known 1 package)
        list(GET known 2 pc)
        string(REGEX REPLACE "^-$" "" pc ${pc})
        set(code "find_package(${package} QUIET)\n")
    elseif(target MATCHES "^PkgConfig::(.+)$")
        set(prefix ${CMAKE_MATCH_1})
        set(pc ${prefix})
        if(${prefix}_MODULE_NAME) # empty, if it was not found before
            set(pc ${${prefix}_MODULE_NAME})
        endif()
        string(CONCAT code "find_package(PkgConfig QUIET)\n"
            "if(PKG_CONFIG_FOUND AND NOT TARGET ${target})\n"
            "    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${pc})\n"
            "endif()\n")
    else()
        message(FATAL_ERROR "cmake/libraries.cmake does not know how ${target} is found")
    endif()
    set(${find} "${code}" PARENT_SCOPE)
    set(${module} "${pc}" PARENT_SCOPE)
endfunction()
